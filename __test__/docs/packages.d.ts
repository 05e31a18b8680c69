// Packages that only the examples use: their types are not installed here.

declare module '@opentelemetry/api';
declare module '@opentelemetry/sdk-trace-node';
declare module '@nats-io/transport-node';
declare module '@rollup/plugin-commonjs';
declare module '@rollup/plugin-node-resolve';
declare module 'express';
declare module 'fastify';
declare module 'ioredis';
declare module 'graphql';
declare module 'graphql-ws/use/ws';
declare module 'koa';
declare module 'hono';
declare module '@hono/node-server';
declare module 'next';
declare module 'partysocket/ws';
declare module 'prom-client';
declare module 'reconnecting-websocket';
declare module 'redis';
declare module 'reflect-metadata';
declare module 'rxjs';
declare module 'rxjs/operators';
declare module 'socket.io';

declare module '@nestjs/common' {
  export const Controller: any;
  export const Get: any;
  export const Inject: any;
  export const Injectable: any;
  export const Module: any;
  export interface BeforeApplicationShutdown { beforeApplicationShutdown(): unknown }
  export interface OnApplicationBootstrap { onApplicationBootstrap(): unknown }
}

declare module '@nestjs/websockets' {
  export class AbstractWsAdapter {
    constructor(app: any);
    protected readonly httpServer: import('http').Server;
  }
  export const MessageBody: any;
  export const SubscribeMessage: any;
  export const WebSocketGateway: any;
}

declare module '@nestjs/core' {
  export class HttpAdapterHost { httpAdapter: { getHttpServer(): import('http').Server } }
  export const NestFactory: any;
}
