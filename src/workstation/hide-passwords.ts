/**
 * Given text with addresses in it, return it without the secrets that stand in them: the password behind a user, and of a web address a user that
 * stands alone or is long, since that is how tokens are written. Pure.
 */
export function hidePasswords(text: string): string {
  const withoutTokens = text.replace(
    /(\bhttps?:\/\/)(?:[^\s/@:']+@|[^\s/@:']{20,}:[^\s/@']*@)/gi,
    "$1…@",
  );
  return withoutTokens.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:']*):[^\s/@']*@/gi, "$1@");
}
