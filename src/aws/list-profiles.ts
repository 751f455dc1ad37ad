import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

export interface Profile {
  name: string;
  /** Its default region. */
  region?: string;
}

/** Return the AWS profiles of this user, of the shared config and credentials files; files that are missing or unreadable have none. */
export async function listProfiles(): Promise<Profile[]> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  // Other kinds of section come as `sso-session.NAME` and `services.NAME`.
  const configured = Object.keys(configFile).filter(
    (name) => !/^(sso-session|services)\./.test(name),
  );
  return [...new Set([...configured, ...Object.keys(credentialsFile)])].map((name) => {
    const region = configFile[name]?.["region"];
    return { name, ...(region !== undefined && { region }) };
  });
}
