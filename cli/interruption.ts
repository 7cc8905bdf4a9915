export interface Interrupted {
  interrupted: true;
}

/** Ctrl-C as something to wait for; while it is listened to, it does not end the process by itself. */
export function interruption(): { happened: Promise<Interrupted>; dispose: () => void } {
  let listener = (): void => undefined;
  const happened = new Promise<Interrupted>((resolve) => {
    listener = () => resolve({ interrupted: true });
  });
  process.on('SIGINT', listener);
  return { happened, dispose: () => void process.off('SIGINT', listener) };
}
