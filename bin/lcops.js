#!/usr/bin/env node
"use strict";

const { loadBundle } = require("./load-bundle.js");

// What waits for what never comes ends the process without a word of node: that is no success.
process.exitCode = 1;
void loadBundle("main.cjs")
  .main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  });
