/** What is drawn in place on a terminal has its cursor out of sight. Whatever ends or stops us, it comes back. */

export const HIDE_CURSOR = '\u001b[?25l'
export const SHOW_CURSOR = '\u001b[?25h'

/**
 * @param leave before the process ends or stops (Ctrl-Z): the terminal is another's then
 * @param enter once it goes on (`fg`)
 * @returns to be called when all is drawn
 */
export function whileDrawing(leave: () => void, enter: () => void): () => void {
  // Then it stops us as it stops any program; the system doesn't where nobody could have us go on.
  const onStop = () => {
    leave()
    process.off('SIGTSTP', onStop)
    process.kill(process.pid, 'SIGTSTP')
  }
  const onReturn = () => {
    process.off('SIGTSTP', onStop)
    process.on('SIGTSTP', onStop)
    enter()
  }
  process.on('exit', leave)
  process.on('SIGTSTP', onStop)
  process.on('SIGCONT', onReturn)
  return () => {
    process.off('exit', leave)
    process.off('SIGTSTP', onStop)
    process.off('SIGCONT', onReturn)
  }
}
