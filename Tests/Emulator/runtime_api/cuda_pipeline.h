// The primitives of cuda_pipeline.h, for a stranger's .cu.
#pragma once
#include "cuda_pipeline_primitives.h"
