/** Given text with addresses in it, return it without the passwords that stand in them: `https://user:…@host`. Pure. */
export function hidePasswords(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:']*):[^\s/@']*@/gi, "$1@");
}
