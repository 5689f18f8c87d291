#!/usr/bin/env node
/* eslint-disable */
// @ts-nocheck
"use strict";

const RAW_RUNTIME_STATE =
'{\
  "__info": [\
    "made for a test"\
  ],\
  "dependencyTreeRoots": [\
    {\
      "name": "app",\
      "reference": "workspace:."\
    }\
  ],\
  "packageRegistryData": [\
    [null, [\
      [null, {\
        "packageLocation": "./",\
        "packageDependencies": [\
          ["@scope/a", "npm:1.0.0"],\
          ["alias", ["real", "npm:2.0.0"]]\
        ],\
        "linkType": "SOFT"\
      }]\
    ]],\
    ["@scope/a", [\
      ["npm:1.0.0", {\
        "packageLocation": "./.yarn/cache/@scope-a-npm-1.0.0-0123-10c0.zip/node_modules/@scope/a/",\
        "packageDependencies": [\
          ["@scope/a", "npm:1.0.0"]\
        ],\
        "linkType": "HARD"\
      }]\
    ]],\
    ["app", [\
      ["workspace:.", {\
        "packageLocation": "./",\
        "linkType": "SOFT"\
      }]\
    ]],\
    ["real", [\
      ["npm:2.0.0", {\
        "packageLocation": "./.yarn/cache/real-npm-2.0.0-0123-10c0.zip/node_modules/real/",\
        "linkType": "HARD"\
      }]\
    ]],\
    ["peered", [\
      ["npm:0.1.0", {\
        "packageLocation": "./.yarn/cache/peered-npm-0.1.0-0123-10c0.zip/node_modules/peered/",\
        "linkType": "SOFT"\
      }],\
      ["virtual:0123abcd#npm:0.1.0", {\
        "packageLocation": "./.yarn/__virtual__/peered-virtual-0123/0/cache/peered-npm-0.1.0-0123-10c0.zip/node_modules/peered/",\
        "linkType": "HARD"\
      }]\
    ]]\
  ]\
}';
