int main() {
    float host[64] = {}, *x;
    cudaMalloc(&x, sizeof host);
    cudaMemcpy(x, host, sizeof host, cudaMemcpyDeviceToHost);
    return 0;
}
