/** As much as is used of @xmpp/client 0.14, which has no types of its own. */
declare module "@xmpp/client" {
  import type { EventEmitter } from "node:events";

  export interface Element {
    name: string;
    attrs: Record<string, string | undefined>;
    is(name: string, namespace?: string): boolean;
    getChild(name: string, namespace?: string): Element | undefined;
    getChildren(name: string, namespace?: string): Element[];
    getChildElements(): Element[];
    getChildText(name: string, namespace?: string): string | null;
  }
  export interface Client extends EventEmitter {
    /** Connections that it can choose from; the first that knows the service's address is taken. */
    transports: unknown[];
    /** In milliseconds, of each of its steps. */
    timeout: number;
    reconnect: { stop(): void };
    /** Questions that are not answered yet. */
    iqCaller: { handlers: Map<string, { reject(error: Error): void }> };
    start(): Promise<unknown>;
    send(element: Element): Promise<void>;
    stop(): Promise<unknown>;
  }
  export function client(options: {
    service: string;
    domain: string;
    username: string;
    password: string;
  }): Client;
  export function xml(
    name: string,
    attributes?: Record<string, string>,
    ...children: (Element | string)[]
  ): Element;
}

declare module "@xmpp/connection-tcp" {
  export default class ConnectionTCP {
    socketParameters(service: string): object | undefined;
    Socket: unknown;
    NS: string;
  }
}
