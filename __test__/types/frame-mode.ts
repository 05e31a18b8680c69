// Frames: received one by one, composed by hand, serialised and parsed without a connection.

import * as net from 'net';
import { PassThrough } from 'stream';
import { connection as WebSocketConnection, frame as WebSocketFrame, server as WebSocketServer, IBufferList, IConfig } from 'websocket';

function receiveFrames(server: WebSocketServer): void {
  server.on('connect', (connection) => {
    const parts: Buffer[] = [];
    connection.on('frame', (frame) => {
      if (frame.opcode >= 8) return;
      parts.push(frame.binaryPayload);
      if (frame.fin) console.log(Buffer.concat(parts).toString('utf8'), frame.length, frame.rsv1 || frame.rsv2 || frame.rsv3);
    });
    connection.on('message', (message) => console.log(message.type));
  });
}

function compose(connection: WebSocketConnection): void {
  const frame = new WebSocketFrame();
  frame.opcode = 0x01;
  frame.fin = true;
  frame.mask = true;
  frame.binaryPayload = Buffer.from('text');
  connection.sendFrame(frame, (error) => console.log(error));
  connection.fragmentAndSend(frame);
  connection.sendCloseFrame(WebSocketConnection.CLOSE_REASON_NORMAL, null, () => {});
}

function withoutConnection(list: IBufferList): Buffer {
  const config: IConfig = { maxReceivedFrameSize: 1024 };
  const frame = new WebSocketFrame(Buffer.alloc(4), Buffer.alloc(10), config);
  list.write(Buffer.from([0x81, 0x00]));
  if (!frame.addData(list)) return Buffer.alloc(0);
  if (frame.protocolError || frame.frameTooLarge || frame.invalidCloseFrameLength) throw new Error(frame.dropReason);
  console.log(frame.parseState === 6, frame.closeStatus, String(frame));
  return frame.toBuffer(true);
}

function byHand(socket: net.Socket): WebSocketConnection {
  const connection = new WebSocketConnection(socket, [], null, false, { assembleFragments: false, closeTimeout: 1000 });
  connection._addSocketEventListeners();
  new WebSocketConnection(new PassThrough(), [], 'chat', true, { keepalive: true, keepaliveInterval: 10 });
  return connection;
}

export { receiveFrames, compose, withoutConnection, byHand };
