const known = new Set<string>();

/** Shorter texts would blank out half of every log, and are no secrets worth the name. */
const shortestSecret = 4;

/** Makes a secret known, so that no log line, error or tail shows it from now on. */
export function rememberSecret(secret: string): void {
  if (secret.length < shortestSecret) return;
  known.add(secret);
  known.add(encodeURIComponent(secret));
  // As it stands inside a JSON text, or in Go's quotes.
  known.add(JSON.stringify(secret).slice(1, -1));
}

/** Every known secret in the text becomes ***. */
export function redact(text: string, more: readonly string[] = []): string {
  let clean = text;
  for (const secret of [...known, ...more]) {
    if (secret.length >= shortestSecret) clean = clean.replaceAll(secret, '***');
  }
  return clean;
}
