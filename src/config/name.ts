/** Names reach menus, file names and `ssh` command lines, so they are plain words that cannot be taken for an option. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
