/** The walls of the house: which room of src/ may import which. architecture.test.ts reads the same table. */
export const ROOMS = {
  cli: [
    "commands",
    "tunnels",
    "backup",
    "consistency",
    "fleet",
    "workstation",
    "services",
    "reach",
    "ssh",
    "inventory",
    "aws",
    "config",
    "terminal",
    "notify",
  ],
  commands: [
    "tunnels",
    "backup",
    "consistency",
    "fleet",
    "workstation",
    "services",
    "reach",
    "ssh",
    "inventory",
    "aws",
    "config",
    "terminal",
    "notify",
  ],
  tunnels: ["services", "notify", "reach", "inventory"],
  backup: ["services", "notify", "reach", "inventory"],
  consistency: ["services", "notify", "reach", "inventory"],
  fleet: ["services", "notify", "reach", "inventory"],
  workstation: ["services", "notify", "reach", "inventory"],
  services: ["reach", "aws", "config"],
  notify: [],
  reach: ["inventory", "ssh", "aws", "config"],
  inventory: ["aws", "config"],
  ssh: [],
  aws: [],
  config: [],
  terminal: [],
  system: [],
};

/** Packages that one room alone speaks to; what stands here is wrapped there. */
export const PACKAGES = {
  "@inquirer/*": ["terminal"],
  chalk: ["terminal"],
  "child_process,node:child_process": ["system"],
  commander: ["cli"],
  execa: ["system"],
  "fast-string-width": ["terminal"],
  inquirer: ["terminal"],
  "jsonc-parser": ["config"],
  "mysql2,mysql2/*": ["services"],
  "ssh-config": ["config"],
  ssh2: ["ssh"],
  "zod,zod/*": ["config", "services"],
};

/** Rooms where the environment variables and what kind of stream there is may be read. */
const READS_ENVIRONMENT = ["cli", "terminal", "config"];

const rooms = Object.keys(ROOMS);

const BETWEEN_SERVICES = {
  regex: "^\\.\\./[^./]+/",
  message: "A service knows its own protocol only: what two need stands in services/ itself.",
};

function restrict(room, files = `src/${room}/**/*.ts`, further = []) {
  const patterns = rooms
    .filter((other) => other !== room && other !== "system" && !ROOMS[room].includes(other))
    .map((other) => ({
      regex: `^\\.\\.?/(\\.\\./)*${other}/`,
      message: `${room} may import ${[...ROOMS[room], "system"].join(", ")} and the types of config, not ${other}.`,
      // The types of the configuration are for everybody.
      allowTypeImports: other === "config",
    }));
  const packages = Object.entries(PACKAGES)
    .filter(([, owners]) => !owners.includes(room))
    .map(([names, owners]) => ({
      group: names.split(","),
      message: `Only ${owners.join(" and ")} may import it; use what that room offers.`,
    }));
  return {
    files: [files],
    rules: {
      "no-restricted-imports": ["error", { patterns: [...patterns, ...packages, ...further] }],
      "node/no-process-env": READS_ENVIRONMENT.includes(room) ? "off" : "error",
    },
  };
}

export default {
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node"],
  categories: { correctness: "error" },
  rules: {
    eqeqeq: "error",
    "no-console": "error",
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/consistent-type-imports": "error",
    // Objects of plain functions, which need no `this`, are how the rooms show their faces.
    "typescript/unbound-method": "off",
    "promise/no-callback-in-promise": "off",
    "typescript/switch-exhaustiveness-check": "error",
  },
  overrides: [
    ...rooms.map((room) => restrict(room)),
    restrict("services", "src/services/*/*.ts", [BETWEEN_SERVICES]),
    {
      files: ["*.config.*", "test/summary-reporter.ts", "test/lab/global-setup.ts"],
      rules: { "import/no-default-export": "off" },
    },
    { files: ["test/**"], rules: { "no-console": "off" } },
  ],
  ignorePatterns: ["dist"],
};
