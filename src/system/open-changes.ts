let open = 0;

/** Say that a change is being made; returns what says that it is over. */
export function openChange(): () => void {
  open++;
  let isOpen = true;
  return () => {
    if (isOpen) open--;
    isOpen = false;
  };
}

/** Return whether a change is being made by this process: then it must not end for nothing. */
export const hasOpenChange = (): boolean => open > 0;
