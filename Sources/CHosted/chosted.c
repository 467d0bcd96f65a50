#include "chosted.h"
