/** The last resort: a fault in drawing the page shows itself instead of a blank tab. */
import { Component, type ReactNode } from 'react'
import { FailurePage } from './FailurePage.tsx'

interface State {
  readonly message: string | undefined
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { message: undefined }

  static getDerivedStateFromError(thrown: unknown): State {
    return { message: thrown instanceof Error ? thrown.message : String(thrown) }
  }

  override render(): ReactNode {
    const { message } = this.state
    return message === undefined ? (
      this.props.children
    ) : (
      <FailurePage failure={{ kind: 'unexpected', message }} />
    )
  }
}
