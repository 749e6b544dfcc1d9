// Part of what eng/emulate.sh includes by force.
#pragma once
#include "cuda_runtime.h"
