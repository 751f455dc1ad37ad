import type { Client } from "ssh2";
import type { OperatorError } from "../system/errors.ts";
import type { Hop } from "./route.ts";
import type { WindowBudget } from "./window-budget.ts";

/** An authenticated SSH connection to one hop. */
export interface Link {
  client: Client;
  hop: Hop;
  /** For messages: `hop 1 of 2, bastion (127.0.0.1:22)`. */
  label: string;
  /** False from the moment when the transport ended, whoever ended it; ssh2 then reports a clean end on every channel, which is not the remote's. */
  isOpen(): boolean;
  /** Why what was under way on an ended link has failed. */
  endError(): Error;
  /** Have the listener called, once, when the transport ends, before any channel hears of it; returns how to take it back. */
  onEnd(listener: () => void): () => void;
  /** Resolves when the transport has ended: to the reason when it was lost, to undefined when lcops closed it. */
  ended: Promise<OperatorError | undefined>;
  /** What the far side may send on the forwards of this link. */
  windows: WindowBudget;
  /** Call `go` once the transport has room for more. */
  whenWritable(go: () => void): void;
  /** Bytes that have come from the server, of any kind. */
  receivedBytes(): number;
  /** Make the server send something. */
  askForReply(): void;
  /** Cut it for this reason. */
  fail(reason: OperatorError): void;
  /** End it: say goodbye, wait shortly for the server to hang up, then cut. */
  close(): Promise<void>;
}
