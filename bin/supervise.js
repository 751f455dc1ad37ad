"use strict";

const { loadBundle } = require("./load-bundle.js");

void loadBundle("main.cjs")
  .keepTunnels()
  .then((code) => {
    process.exitCode = code;
  });
