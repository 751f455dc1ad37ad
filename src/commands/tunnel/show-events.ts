import { printable } from "../../system/printable.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { TunnelEvent } from "../../tunnels/tunnel-status.ts";

/** Given an event, return it in words, without its name. Pure. */
export function describeEvent(event: TunnelEvent): string {
  switch (event.event) {
    case "silent":
      return `the tunnel is up, the service is silent: ${event.detail}`;
    case "ready":
      return `${event.url}  ready (${event.detail})`;
    case "waiting":
      return `${event.reason}; trying again`;
    case "failed":
      return `${event.reason}; it waits for lcops tunnel retry ${event.name}`;
    case "connected":
      return `connected to ${event.address}`;
    case "listening":
      return `listening on port ${event.port}`;
  }
}

/** Return what shows the events of tunnels as they come: the address is the result; with a command, stdout belongs to that. */
export function showEvents(terminal: Terminal, hasCommand: boolean): (event: TunnelEvent) => void {
  const wasReady = new Set<string>();
  const isDown = new Set<string>();
  return (event) => {
    const { name } = event;
    if (terminal.flags.json) {
      terminal.printEvent(event, hasCommand ? "stderr" : "stdout");
      return;
    }
    const text = printable(describeEvent(event));
    if (event.event === "ready") {
      const isFirst = !wasReady.has(name);
      wasReady.add(name);
      if (isFirst && !hasCommand && !terminal.flags.quiet) terminal.print(`${name}  ${text}`);
      else terminal.note(`${name}  ${text}`);
    } else if (event.event === "silent") terminal.warn(`${name}: ${text}`);
    else if (event.event === "waiting" && !isDown.has(name)) {
      // Once an outage, however many tries it takes.
      isDown.add(name);
      terminal.warn(`${name}: ${text}`);
    } else if (event.event === "connected" && isDown.delete(name))
      terminal.warn(`${name}: ${text} again`);
    else terminal.trace(`${name}: ${text}`);
  };
}
