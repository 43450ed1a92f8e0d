import { setTimeout as delay } from 'node:timers/promises'

/** The passing of time, handed in: the simulation has a time of its own. */
export interface Time {
  /** Milliseconds, for durations. */
  now(): number
  /** Settles after so long, or once the signal is aborted. Never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const machineTime: Time = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { ref: false, ...(signal && { signal }) })
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error
    }
  },
}

/** Unix seconds, by the clock of the machine: for what others are told. */
export const machineClock = (): number => Math.floor(Date.now() / 1000)
