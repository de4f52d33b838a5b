package nir

import _ "nirzone/fixtures/seed"
