export function Header() {
  return (
    <header>
      <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
        <path d="M6 21 14 5l3 10zM17 27l9-16-12 7z" />
      </svg>
      <span className="name">Shardy</span>
      <span className="role">worker</span>
    </header>
  )
}
