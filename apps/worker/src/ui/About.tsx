/** What the page does with a stranger's machine, and what its words mean. Nothing here may promise more than is true. */
export function About() {
  return (
    <section className="card about" aria-labelledby="about">
      <h2 id="about">What this page does with your machine</h2>
      <dl>
        <div>
          <dt>It computes for strangers</dt>
          <dd>
            Inputs come from people you do not know. They can only be numbers for exact integer programs (so
            far one: multiplying matrices of whole numbers) and are never run as code. Nothing on your disk or
            network is read.
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
          <dt>“Accepted” and “verified” mean agreement, not proof</dt>
          <dd>
            The same task goes to at least two different workers. When enough of them give the same answer,
            bit for bit, the task counts as verified and they are paid. Workers who conspire could agree on a
            wrong answer; agreement does not rule that out.
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
