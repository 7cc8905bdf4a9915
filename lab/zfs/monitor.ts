import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

interface Reply {
  return?: unknown;
  error?: { desc: string };
}

/** Asks QEMU's monitor: one connection, one command of its protocol (QMP), its answer. */
export async function askMonitor(
  socketPath: string,
  command: string,
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const socket = connect(socketPath);
  await once(socket, 'connect');
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const greeting = await lines.next();
    if (greeting.done) throw new Error(`the monitor ${socketPath} said nothing`);
    const ask = async (execute: string, words: Record<string, unknown>): Promise<unknown> => {
      socket.write(`${JSON.stringify({ execute, arguments: words })}\n`);
      return await nextReply(lines, execute);
    };
    await ask('qmp_capabilities', {});
    return await ask(command, args);
  } finally {
    socket.destroy();
  }
}

/** Events come between the replies. */
async function nextReply(lines: AsyncIterator<string>, command: string): Promise<unknown> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`QEMU ended before it answered ${command}`);
    const reply = JSON.parse(value) as Reply;
    if (reply.error) throw new Error(`QEMU refuses ${command}: ${reply.error.desc}`);
    if ('return' in reply) return reply.return;
  }
}

/** Saves memory, devices and disk inside the guest's disk; its words are empty when all went well. */
export async function saveState(socketPath: string, name: string): Promise<void> {
  const words = await askMonitor(socketPath, 'human-monitor-command', { 'command-line': `savevm ${name}` });
  if (typeof words === 'string' && words.trim() !== '')
    throw new Error(`QEMU saved no state: ${words.trim()}`);
}

/** Pulls the network cable, or puts it back. */
export const setLink = (socketPath: string, up: boolean): Promise<unknown> =>
  askMonitor(socketPath, 'set_link', { name: 'card', up });

/** From now on the guest's disk does so many operations a second: without, its flushes cost nothing, and the programs it starts cost all. */
export const limitDisk = (socketPath: string, operationsPerSecond: number): Promise<unknown> =>
  askMonitor(socketPath, 'block_set_io_throttle', {
    device: 'virtio0',
    ...{ bps: 0, bps_rd: 0, bps_wr: 0, iops: operationsPerSecond, iops_rd: 0, iops_wr: 0 },
  });
