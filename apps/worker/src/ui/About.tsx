/** What the page does with a stranger's machine, and what its words mean. Nothing here may promise more than is true. */
export function About() {
  return (
    <section className="card about" aria-labelledby="about">
      <h2 id="about">What this page does with your machine</h2>
      <dl>
        <div>
          <dt>It computes for strangers</dt>
          <dd>
            Programs and numbers come from people you do not know. A program is a list of exact integer
            operations; a shader is their own code for your GPU, checked and written anew by this page, with a
            bound on how long it runs. Neither can read anything on your disk, in your browser or on your
            network.
          </dd>
        </div>
        <div>
          <dt>It uses your GPU or CPU while it works</dt>
          <dd>
            That costs electricity and battery. Pausing hands unfinished work back at once; closing the tab
            ends everything.
          </dd>
        </div>
        <div>
          <dt>“Verified” says how an answer was looked at, not that it cannot be wrong</dt>
          <dd>
            Most answers are checked by the orchestrator. Some tasks go to several workers instead, and as
            many as the requester asked for must give the same answer; workers who conspire could agree on a
            wrong one. A task whose answer nobody looked at ends as accepted, not as verified.
          </dd>
        </div>
        <div>
          <dt>Test credits are not money</dt>
          <dd>They are worth nothing outside this network and cannot be bought or sold.</dd>
        </div>
        <div>
          <dt>It keeps one key in this browser</dt>
          <dd>
            The key signs your answers and names your worker. It cannot be copied out of the browser; clearing
            the data of this site deletes it, and with it the standing that your worker earned.
          </dd>
        </div>
      </dl>
    </section>
  )
}
