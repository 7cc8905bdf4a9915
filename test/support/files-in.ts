/** The files of a host that has none: its notes and records, by their paths, kept in memory. */
export const filesIn = (files: Map<string, string>) => ({
  makeFolder: async () => undefined,
  list: async () => [],
  exists: async (path: string) => files.has(path),
  readFile: async (path: string) => files.get(path) ?? '',
  writeFile: async (path: string, text: string) => void files.set(path, text),
  appendLine: async (path: string, line: string) => void files.set(path, `${files.get(path) ?? ''}${line}\n`),
});
