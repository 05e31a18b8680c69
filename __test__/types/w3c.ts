// The browsers' class: handlers, listeners, the forms of binary data, states.

import { Blob } from 'buffer';
import websocket, { w3cwebsocket as W3CWebSocket, ICloseEvent, IEvent, IErrorEvent, IMessageEvent } from 'websocket';

const socket = new W3CWebSocket('ws://127.0.0.1:8080/', 'echo-protocol');
new W3CWebSocket('wss://127.0.0.1/', ['a', 'b'], 'https://example.com', { Cookie: 'a=1' }, { agent: false }, { closeTimeout: 100 });
new websocket.w3cwebsocket('ws://127.0.0.1/', null, null, null, null, { keepalive: true, keepaliveInterval: 1000 });

socket.onopen = () => {
  if (socket.readyState === socket.OPEN && socket.readyState === W3CWebSocket.OPEN) {
    socket.send('text');
    socket.send(new Float64Array(2));
    socket.send(new ArrayBuffer(2));
    socket.send(Buffer.alloc(2));
  }
};
socket.onopen = (event: IEvent) => console.log(event.type, event.target.url, event.target.protocol, event.target.extensions.length);
socket.onmessage = (event) => {
  if (typeof event.data === 'string') console.log(event.data.toUpperCase());
  else console.log(event.data.byteLength);
};
socket.onerror = (event) => console.error(event.message, event.error?.stack, event.target === socket);
socket.onclose = (event) => console.log(event.code.toFixed(), event.reason.trim(), event.wasClean ? 'clean' : 'broken off');

socket.binaryType = 'blob';
socket.onmessage = async (event: IMessageEvent) => {
  if (event.data instanceof Blob) console.log((await event.data.text()).length);
  else if (typeof event.data === 'string') console.log(event.data.length);
};
socket.binaryType = 'arraybuffer';

function closed(event: IEvent & ICloseEvent): void {
  console.log(event.type, event.code, event.target.bufferedAmount.toFixed());
}

socket.addEventListener('open', (event) => console.log(event.target === socket));
socket.addEventListener('message', (event) => console.log(event.data, event.target));
socket.addEventListener('error', (event: IErrorEvent) => console.error(event.error));
socket.addEventListener('close', closed);
socket.addEventListener('close', { handleEvent: (event) => console.log(event.wasClean) }, { once: true });
socket.removeEventListener('close', closed);
const prevented: boolean = !socket.dispatchEvent({ type: 'of-my-own' });
socket.addEventListener('close', () => console.log('closed'), { signal: new AbortController().signal });
socket.addEventListener('of-my-own', (event) => console.log(event.detail));
socket.dispatchEvent({ type: 'of-my-own', detail: 1 });

const states: number[] = [W3CWebSocket.CONNECTING, W3CWebSocket.OPEN, socket.CLOSING, socket.CLOSED];
console.log(states, prevented, socket._client.response?.headers, socket._connection?.socket.remoteAddress);

socket.close();
socket.close(1000);
socket.close(4000, 'mine');
