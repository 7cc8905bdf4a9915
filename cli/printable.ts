export { printable } from '../contracts/printable.js';
