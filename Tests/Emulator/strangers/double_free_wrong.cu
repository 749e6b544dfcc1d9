int main() {
    float* x;
    cudaMalloc(&x, 64 * sizeof(float));
    cudaFree(x);
    cudaFree(x);
    return 0;
}
