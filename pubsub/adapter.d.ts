/** What a server gives to its adapter. */
export interface IPubSubContext {
  /** The id of this node, 12 characters. */
  node: string;
  /** For each message in a topic that is subscribed, in the order in which they come. Never throws. */
  deliver(topic: string, envelope: Uint8Array): void;
  /** Messages may be lost from now on. Call it before the first message behind a gap. Again is no fault. */
  lost(error?: Error): void;
  /** All subscriptions that were confirmed are in place again, and messages can be published. */
  restored(): void;
}

/** Subscribers in all processes. */
export interface IPubSubCount {
  connections: number;
  /** Nodes that have answered, this one included. */
  nodes: number;
  /** Ids of the nodes that have not answered in time. */
  silent: string[];
}

/**
 * Connects a server with an engine, through which servers in other processes get its messages. How to write one:
 * docs/adapters.md.
 */
export interface IPubSubAdapter {
  /**
   * Called once, and again after it has failed. Done when messages can be published and topics subscribed. If that takes
   * long because the engine is not there, call `lost()`, and `restored()` when it is.
   */
  start(context: IPubSubContext): void | Promise<void>;
  /** Done when the engine has confirmed. Topics that are subscribed already are no fault. */
  subscribe(topics: string[]): Promise<void>;
  /** Done when the engine has confirmed. Topics that are not subscribed are no fault. */
  unsubscribe(topics: string[]): Promise<void>;
  /** Done when the engine has the message. */
  publish(topic: string, envelope: Uint8Array): Promise<void>;
  /** Without it, the servers count by messages to each other. */
  count?(topic: string, timeout: number): Promise<IPubSubCount>;
  /** Gives the subscriptions and the listeners up. The program's clients stay open. */
  close(): Promise<void>;
}
