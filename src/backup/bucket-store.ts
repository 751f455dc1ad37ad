import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { DestinationName } from "../config/backup-schema.ts";
import { OperatorError } from "../system/errors.ts";
import { askPages, guardPages } from "../system/guard-pages.ts";
import { NotStoredError, readText, refuseOther, type Store, type StoredObject } from "./store.ts";

/** An object has 10,000 of them at most (S3 user guide, multipart upload limits): 160 GB a part. */
const PIECE_BYTES = 16 * 1024 * 1024;

/** How often something is put there while S3 cannot say whether another writer was first, and after how long again. */
const TRIES = 5;
const PAUSE_MS = 200;

export interface BucketOptions {
  name: DestinationName;
  bucket: string;
  /** What its keys begin with; absent: nothing. */
  prefix?: string;
  client: S3Client;
  signal: AbortSignal;
  /** Given what the SDK threw and the action of IAM that it needs, return it in our words. */
  explain: (error: unknown, action: string) => unknown;
}

/** Given a bucket, return it as a store. An object is there once its upload is complete; S3 itself compares the checksums. */
export function openBucketStore(options: BucketOptions): Store {
  const { name, bucket: Bucket, client, signal } = options;
  const root = options.prefix === undefined ? "" : `${options.prefix}/`;
  const explain = (error: unknown, action: string): unknown => {
    if (error instanceof OperatorError || error instanceof NotStoredError) return error;
    return error instanceof Error && error.name === "NoSuchBucket"
      ? new OperatorError("configuration", `there is no bucket ${Bucket}`, {
          next: "make it, or correct backups.destinations",
          cause: error,
        })
      : options.explain(error, action);
  };
  const ask = async <T>(action: string, asked: () => Promise<T>): Promise<T> => {
    try {
      return await asked();
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, action);
    }
  };
  const store: Store = {
    name,
    place: `s3://${Bucket}/${options.prefix ?? ""}`,
    list: async function* (prefix) {
      const pages = paginateListObjectsV2(
        { client },
        { Bucket, Prefix: root + prefix },
        { abortSignal: signal },
      );
      const what = `the listing of s3://${Bucket}`;
      try {
        for await (const page of guardPages(pages, (one) => one.NextContinuationToken, what)) {
          // A listing that says that there is more, and not where, would hide sets.
          if (page.IsTruncated && !page.NextContinuationToken)
            throw new OperatorError("failed", `${what} is cut off`);
          for (const { Key = "", Size = 0, LastModified = new Date(0) } of page.Contents ?? [])
            yield {
              key: Key.slice(root.length),
              bytes: Size,
              modifiedAt: LastModified,
            } satisfies StoredObject;
        }
      } catch (error) {
        signal.throwIfAborted();
        throw explain(error, "s3:ListBucket");
      }
    },
    read: async function* (key) {
      const answer = await ask("s3:GetObject", () =>
        client
          .send(new GetObjectCommand({ Bucket, Key: root + key }), { abortSignal: signal })
          .catch((error: unknown) => {
            if (error instanceof Error && error.name === "NoSuchKey")
              throw new NotStoredError(`${key} is missing`);
            throw error;
          }),
      );
      try {
        yield* answer.Body as unknown as AsyncIterable<Buffer>;
      } catch (error) {
        signal.throwIfAborted();
        // The network's, and no damage of what is stored.
        throw explain(error, "s3:GetObject");
      }
    },
    write: async (key, content) => {
      let failure: unknown;
      // What the SDK makes of a source that fails is not always an error of its own.
      const watched = (async function* () {
        try {
          yield* content;
        } catch (error) {
          failure = error ?? new Error("its source failed");
          throw error;
        }
      })();
      const upload = new Upload({
        client,
        params: { Bucket, Key: root + key, Body: Readable.from(watched, { objectMode: false }) },
        partSize: PIECE_BYTES,
        queueSize: 1,
      });
      const abort = (): void => void upload.abort();
      signal.addEventListener("abort", abort);
      try {
        await upload.done();
      } catch (error) {
        signal.throwIfAborted();
        throw failure ?? explain(error, "s3:PutObject");
      } finally {
        signal.removeEventListener("abort", abort);
      }
      if (failure !== undefined) throw failure;
    },
    create: async (key, content) => {
      const Key = root + key;
      const put = (IfNoneMatch?: string): Promise<void> =>
        ask("s3:PutObject", async () => {
          const command = new PutObjectCommand({ Bucket, Key, Body: content, IfNoneMatch });
          await client.send(command, { abortSignal: signal });
        });
      for (let tried = 1; ; tried++) {
        try {
          return await put("*");
        } catch (error) {
          const status = statusOf(error);
          if (status === 412) return refuseOther(store, key, content);
          if (status === 501) break;
          // Two at once, and S3 does not say which of them was first: it is to be asked again.
          if (status !== 409 || tried === TRIES) throw error;
          await pause(PAUSE_MS, undefined, { signal });
        }
      }
      // A server that knows no such condition is at least looked at.
      const isFree = await readText(store, key).then(
        () => false,
        (error: unknown) => {
          if (error instanceof NotStoredError) return true;
          throw error;
        },
      );
      return isFree ? put() : refuseOther(store, key, content);
    },
    remove: (key) =>
      ask("s3:DeleteObject", async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key: root + key }), {
          abortSignal: signal,
        });
      }),
    sweep: (olderThanMs) =>
      ask("s3:ListBucketMultipartUploads", async () => {
        let swept = 0;
        const pages = askPages(
          (from: { KeyMarker: string; UploadIdMarker?: string } | undefined) =>
            client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: root, ...from }), {
              abortSignal: signal,
            }),
          ({ IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker }) =>
            IsTruncated && KeyMarker
              ? { KeyMarker, ...(UploadIdMarker && { UploadIdMarker }) }
              : undefined,
          `the list of uploads to s3://${Bucket}`,
        );
        for await (const page of pages)
          for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
            if (Date.now() - (Initiated?.getTime() ?? 0) <= olderThanMs) continue;
            await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), {
              abortSignal: signal,
            });
            swept++;
          }
        return swept;
      }),
    close: () => client.destroy(),
  };
  return store;
}

/** Of HTTP, whatever it was explained as. */
function statusOf(error: unknown): number | undefined {
  const told = error instanceof OperatorError ? error.cause : error;
  return told instanceof S3ServiceException ? told.$metadata.httpStatusCode : undefined;
}
