/** Bugs that only a crash brings out: what is told too early, what is forgotten, what comes again. */
import type { Plant } from '../plant.ts'

export const restart: readonly Plant[] = [
  {
    name: 'reusedEpoch',
    what: 'every process counts its deliveries from the same epoch',
    open: () => ({ epoch: () => 1 }),
  },
  {
    name: 'toldBeforeSaved',
    what: 'effects are carried out while the commit that they rest on is still on its way',
    open: () => ({
      save: (save) => async (changes) => {
        void save(changes)
      },
    }),
  },
  {
    name: 'lostRetry',
    what: 'a task whose delivery was lost in a restart is not queued again',
    open: () => ({
      recovered(recovered) {
        for (const task of recovered.state.tasks.values()) {
          if (task.deliveries.at(-1)?.outcome !== 'lost') continue
          task.taskClass.queue.leave(task)
          task.wants = 0
        }
        return recovered
      },
    }),
  },
  {
    name: 'submittedAgain',
    what: 'a repeated submission is not looked for among ended tasks',
    open: () => ({ forgetsEnded: true }),
  },
]
