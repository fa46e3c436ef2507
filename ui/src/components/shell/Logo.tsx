// The mark: a holdfast, the root by which kelp grips the rock, drawn as an H that grips.
export function Logo({ size }: { size: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden>
      <rect width="32" height="32" rx="8" fill="#2b58c9" />
      <path d="M10 7v9c0 4-3 4.5-3 9M22 7v9c0 4 3 4.5 3 9M10 15h12M16 15v10" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
