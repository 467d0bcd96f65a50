// Nothing to call: to link this target is to put its symbols in the place of lwIP's.
#pragma once
