/** Which promises of S3 each server of the lab does not keep; s3.test.ts asks the present one for each. */
import type { LabS3, S3Property } from "./lab.ts";

export const S3_LIES: Record<LabS3["server"], readonly S3Property[]> = {
  versitygw: [],
  moto: [],
  s3rver: [],
};
