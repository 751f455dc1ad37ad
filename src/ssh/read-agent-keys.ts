import { connect } from "node:net";
import { readString } from "./key-blob.ts";

const limitMs = 2000;
const maxAnswerBytes = 256 * 1024;

/** A key that the agent holds: the public key in wire format, and the comment as the agent has it. */
export interface AgentKey {
  blob: Buffer;
  comment: string;
}

/**
 * Given the socket of an SSH agent, return the keys it holds, those that ssh2 cannot use included (ssh2's own call leaves
 * them out without a word). Throws where there is no agent or it does not answer within 2 s.
 * Protocol: draft-miller-ssh-agent, 4.4: request 11, answer 12.
 */
export function readAgentKeys(agentSocket: string): Promise<AgentKey[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(agentSocket);
    let answer = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => finish(() => reject(new Error("it does not answer"))), limitMs);
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("close", () => finish(() => reject(new Error("it hung up"))));
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 1, 11])));
    socket.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      const message = readString(answer, 0)?.value;
      if (message) finish(() => resolve(parseKeys(message)));
      else if (answer.length > maxAnswerBytes)
        finish(() => reject(new Error("its answer is too long")));
    });
  });
}

function parseKeys(message: Buffer): AgentKey[] {
  // Anything but a list is a refusal, as from a locked agent.
  if (message[0] !== 12) return [];
  const keys: AgentKey[] = [];
  for (let offset = 5; offset < message.length;) {
    const blob = readString(message, offset);
    const comment = blob && readString(message, blob.next);
    if (!comment) break;
    keys.push({ blob: blob.value, comment: comment.value.toString() });
    offset = comment.next;
  }
  return keys;
}
