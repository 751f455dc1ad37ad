#!/usr/bin/env node
"use strict";

const { loadBundle } = require("./load-bundle.js");

void loadBundle("main.cjs")
  .main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  });
