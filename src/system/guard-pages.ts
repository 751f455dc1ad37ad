import { OperatorError } from "./errors.ts";

/** S3 lists 1,000 objects on a page: these are a thousand million. */
const MOST_PAGES = 1_000_000;
/** The newest tokens are remembered, so that memory does not grow with the list. A longer circle of pages ends at MOST_PAGES. */
const REMEMBERED = 1_000;

/**
 * Yields the pages of an answer, as a paginator of the SDK gives them. `tokenOf` reads the token of the next page, and
 * `what` names the list in an error. Throws `unreachable` where a token comes back or the pages have no end, so that nothing goes round for ever.
 */
export async function* guardPages<Page>(
  pages: AsyncIterable<Page>,
  tokenOf: (page: Page) => unknown,
  what: string,
  mostPages = MOST_PAGES,
): AsyncGenerator<Page, void> {
  const seen = new Set<string>();
  let count = 0;
  for await (const page of pages) {
    yield page;
    const token = tokenOf(page);
    if (!token) continue;
    const key = JSON.stringify(token);
    const isRepeated = seen.has(key);
    if (isRepeated || ++count > mostPages)
      throw new OperatorError(
        "unreachable",
        `${what} ${isRepeated ? "repeats a page for ever" : "has no end"}`,
        { next: "try again" },
      );
    seen.add(key);
    const [oldest] = seen;
    if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest);
  }
}

/** Yields the pages of an answer that the SDK has no paginator for, and guards them. `ask` gets the token of the page before, at first none. */
export function askPages<Page, Token>(
  ask: (token: Token | undefined) => Promise<Page>,
  tokenOf: (page: Page) => Token | undefined,
  what: string,
): AsyncGenerator<Page, void> {
  async function* pages(): AsyncGenerator<Page, void> {
    let token: Token | undefined;
    do {
      const page = await ask(token);
      yield page;
      token = tokenOf(page);
    } while (token);
  }
  return guardPages(pages(), tokenOf, what);
}
