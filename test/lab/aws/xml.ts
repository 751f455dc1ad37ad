/** Writing the XML of the query protocols. */

/** Takes a text; returns it as XML content, with what XML 1.0 cannot say at all as EC2 says it: a question mark. */
function escapeText(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are what XML has no way to write
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "?")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("\r", "&#xD;")
  );
}

/** What an element holds: text, elements by name in order, or a list, which becomes `<item>`s. Undefined is left out. */
export type Content =
  | string
  | number
  | boolean
  | undefined
  | readonly Content[]
  | { [name: string]: Content };

/** Takes content; returns its XML. An empty text or list makes an empty element. */
export function toXml(content: Content): string {
  if (content === undefined) return "";
  if (typeof content !== "object") return escapeText(String(content));
  if (Array.isArray(content))
    return content.map((item: Content) => `<item>${toXml(item)}</item>`).join("");
  return Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const inside = toXml(value);
      return inside === "" ? `<${name}/>` : `<${name}>${inside}</${name}>`;
    })
    .join("");
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
