/** One account and region to speak to, through one profile. */
export interface AwsScope {
  /** Profile of ~/.aws/config; absent: the credentials that the environment has. */
  profile?: string;
  /** Account that it must be; absent: whichever it is. */
  account?: string;
  region: string;
}

/** Given a scope, return it in words: `us-west-2 (profile prod)`. */
export function describeScope({ profile, region }: AwsScope): string {
  return `${region} (${profile === undefined ? "no profile" : `profile ${profile}`})`;
}
