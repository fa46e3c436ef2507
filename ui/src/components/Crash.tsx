// Keeps a broken page from taking the shell down with it.
import { Component, type ReactNode } from "react";
import { Failed } from "./states";

export class Crash extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div style={{ padding: 24 }}>
        <Failed error={this.state.error} onRetry={() => this.setState({ error: null })} />
      </div>
    );
  }
}
