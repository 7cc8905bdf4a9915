import { fileURLToPath } from 'node:url';

/** Where the build puts the workflows' bundle: no webpack runs when a worker starts. */
export const bundleFile = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
