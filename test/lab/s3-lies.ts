/** Which promises of S3 each server of the lab does not keep; s3.lab.test.ts asks the present one for each. */
import type { LabS3, S3Property } from "./lab.ts";

export const S3_LIES: Record<LabS3["server"], readonly S3Property[]> = {
  // It keeps objects as files of a file system, whose names have rules of their own; each but the dots it refuses with an error.
  versitygw: [
    "a key may be another's folder",
    "an empty level of a key stays",
    "a key may end in a slash",
    "a key may have dots for a level",
    "a level of a key may be long",
  ],
  // It takes everybody's word: for who they are, for what was sent, and for what a copy was made of.
  moto: [
    "a copy may be conditional",
    "a wrong sha256 is refused",
    "a wrong crc64nvme is refused",
    "a wrong secret is refused",
  ],
};
