package nirtest

import _ "nirzone/fixtures/seed"
