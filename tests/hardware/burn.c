/* Uses every GPU it can see through the driver's own library, which it needs neither headers nor a toolkit for.

     burn MIB SECONDS [work|rest]

   Prints "GPU-<uuid>" per GPU, takes MIB of the memory of each, prints "ready", then writes over that memory without
   pause (work) or sleeps (rest) for SECONDS. Ends with 3 when it sees no GPU. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int result;
typedef unsigned long long address;
typedef struct { unsigned char bytes[16]; } uuid;
enum { most_gpus = 16 };

static void *library;

static void *find(const char *name)
{
    void *found = dlsym(library, name);
    if (!found) { fprintf(stderr, "libcuda.so.1 has no %s\n", name); exit(4); }
    return found;
}

static void check(const char *what, result code)
{
    if (code) { fprintf(stderr, "%s: error %d\n", what, code); exit(code == 100 ? 3 : 4); }
}

static void print(const uuid *id)
{
    printf("GPU-");
    for (int i = 0; i < 16; i++)
        printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id->bytes[i]);
    printf("\n");
}

int main(int count, char **words)
{
    if (count < 3) { fprintf(stderr, "usage: burn MIB SECONDS [work|rest]\n"); return 2; }
    size_t bytes = (size_t)atol(words[1]) << 20;
    int work = count < 4 || !strcmp(words[3], "work");
    library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) { fprintf(stderr, "%s\n", dlerror()); return 3; }
    result (*init)(unsigned) = find("cuInit");
    result (*gpus)(int *) = find("cuDeviceGetCount");
    result (*get)(int *, int) = find("cuDeviceGet");
    result (*name)(uuid *, int) = find("cuDeviceGetUuid");
    result (*retain)(void **, int) = find("cuDevicePrimaryCtxRetain");
    result (*current)(void *) = find("cuCtxSetCurrent");
    result (*allocate)(address *, size_t) = find("cuMemAlloc_v2");
    result (*fill)(address, unsigned, size_t) = find("cuMemsetD32_v2");
    result (*finish)(void) = find("cuCtxSynchronize");
    int found = 0, device;
    void *contexts[most_gpus];
    address memory[most_gpus];
    uuid id;
    check("cuInit", init(0));
    check("cuDeviceGetCount", gpus(&found));
    if (!found) return 3;
    if (found > most_gpus) found = most_gpus;
    for (int i = 0; i < found; i++) {
        check("cuDeviceGet", get(&device, i));
        check("cuDeviceGetUuid", name(&id, device));
        print(&id);
        check("cuDevicePrimaryCtxRetain", retain(&contexts[i], device));
        check("cuCtxSetCurrent", current(contexts[i]));
        check("cuMemAlloc", allocate(&memory[i], bytes));
    }
    printf("ready\n");
    fflush(stdout);
    struct timespec pause = {0, 50 * 1000 * 1000};
    for (time_t end = time(NULL) + atol(words[2]); time(NULL) < end;) {
        if (!work) { nanosleep(&pause, NULL); continue; }
        for (int i = 0; i < found; i++) {
            check("cuCtxSetCurrent", current(contexts[i]));
            for (int times = 0; times < 64; times++) check("cuMemsetD32", fill(memory[i], 7, bytes / 4));
            check("cuCtxSynchronize", finish());
        }
    }
    return 0;
}
