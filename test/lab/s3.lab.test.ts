import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, expect, test } from "vitest";
import { S3_PROPERTIES } from "./lab.ts";
import { S3_QUESTIONS } from "./s3-properties.ts";
import { useLab } from "../support/lab.ts";

const { s3 } = await useLab("s3");
const client = s3
  ? new S3Client({
      region: s3.region,
      endpoint: s3.url,
      forcePathStyle: true,
      credentials: s3.account,
      maxAttempts: 1,
    })
  : undefined;
afterAll(() => client?.destroy());

const told = s3?.lies ?? [];
test.skipIf(!client).each(S3_PROPERTIES.map((property, index) => ({ property, index })))(
  `${s3?.server ?? "S3"}: $property, or it is listed as a lie`,
  async ({ property, index }) => {
    if (!client) return;
    const Bucket = `lcops-question-${index}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    const kept = await S3_QUESTIONS[property]({ client, Bucket }).catch((error: unknown) => {
      return String(error);
    });
    expect(kept === true, String(kept)).toBe(!told.includes(property));
  },
);
