/* A stand-in for NVIDIA's libnvidia-ml.so.1: answers the questions DS01 asks from a text file, read anew each time.
 *
 * The file is named by ds01_standin_use() or, for another process, by DS01_NVML_STATE. It has sections and lines:
 *   [driver]   loaded=1
 *   [gpu 0]    uuid= name= memory_mib= used_mib= minor= pci= mig= max_mig= profile=<n> <slices> (repeated) nvlink=<gpu>
 *              (repeated) utilisation= temperature= slowdown= power_mw= energy_mj= ecc= rows=<c> <u> <pending> <failed>
 *              pages_pending= lost= process=<pid> <bytes> graphics=<pid> <bytes> event=<serial> <type> <data>
 *              gpm=1 where it counts its instances (0, or missing: it does not)
 *   [mig 0 1]  uuid= name= gi_slices= ci_slices= memory_mib= used_mib= process=     (GPU 0, instance 1)
 *              gi=<profile> <start> <width> for one that was made here, gpm_graphics= gpm_sm= (percent), gi_id=
 * A key that is missing is a question the driver does not support. Where "profile=" goes on with <width> <memory_mib>
 * <name> <starts, with commas>, the GPU can be divided; the file is written then. refuses=<call> makes a call fail.
 * In a GPU's or an instance's section, unknown=<key> makes the question for its processes fail (process, graphics), and
 * lacks=<key> makes it one that is not supported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 1, BAD_ARGUMENT = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NO_DRIVER = 9,
       TIMEOUT = 10, LOST = 15 };

#define MAX_GPUS 16
#define MAX_PARTS 8
#define MAX_LINES 2000

typedef struct { int gpu, part; unsigned long long mask; } Device;
typedef struct { char section[32], key[32], value[128]; } Line;

static Device devices[MAX_GPUS][MAX_PARTS + 1];
static Line lines[MAX_LINES];
static int line_count, started, delivered;
static char path[4096];

void ds01_standin_use(const char *file) {
    snprintf(path, sizeof path, "%s", file);
    delivered = 0;
}

static void read_state(void) {
    char text[512], section[32] = "";
    const char *file = path[0] ? path : getenv("DS01_NVML_STATE");
    FILE *in = file ? fopen(file, "r") : NULL;
    line_count = 0;
    while (in && line_count < MAX_LINES && fgets(text, sizeof text, in)) {
        Line *line = &lines[line_count];
        if (sscanf(text, " [%31[^]]]", section) == 1) continue;
        if (sscanf(text, " %31[^= ] = %127[^\n]", line->key, line->value) != 2) continue;
        memcpy(line->section, section, sizeof section);
        line_count++;
    }
    if (in) fclose(in);
}

/* The nth value of a key, or NULL. */
static const char *find(const char *section, const char *key, int nth) {
    for (int i = 0; i < line_count; i++)
        if (!strcmp(lines[i].section, section) && !strcmp(lines[i].key, key) && nth-- == 0) return lines[i].value;
    return NULL;
}

static const char *section_of(const Device *device) {
    static char name[32];
    if (device->part < 0) snprintf(name, sizeof name, "gpu %d", device->gpu);
    else snprintf(name, sizeof name, "mig %d %d", device->gpu, device->part);
    return name;
}

/* Every question starts here: is there a driver, and is this GPU still on the bus? */
static int ready(const Device *device) {
    read_state();
    const char *loaded = find("driver", "loaded", 0);
    if (!loaded || atoi(loaded) != 1) return NO_DRIVER;
    if (!started) return UNINITIALIZED;
    if (device) {
        char gpu[32];
        snprintf(gpu, sizeof gpu, "gpu %d", device->gpu);
        if (!find(gpu, "uuid", 0)) return NOT_FOUND;
        const char *lost = find(gpu, "lost", 0);
        if (lost && atoi(lost)) return LOST;
    }
    return OK;
}

static int text_of(Device *device, const char *key, char *out, unsigned size) {
    int state = ready(device);
    const char *value = state == OK ? find(section_of(device), key, 0) : NULL;
    if (state != OK) return state;
    if (!value) return UNSUPPORTED;
    snprintf(out, size, "%s", value);
    return OK;
}

static int number_of(Device *device, const char *key, unsigned long long *out) {
    char text[128];
    int state = text_of(device, key, text, sizeof text);
    if (state == OK) *out = strtoull(text, NULL, 10);
    return state;
}

static int small_number_of(Device *device, const char *key, unsigned *out) {
    unsigned long long value = 0;
    int state = number_of(device, key, &value);
    if (state == OK) *out = (unsigned)value;
    return state;
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    started++;
    int state = ready(NULL);
    if (state != OK) started--;
    return state;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) {
    if (!started) return UNINITIALIZED;
    started--;
    return OK;
}
const char *nvmlErrorString(int code) { return code == NO_DRIVER ? "Driver Not Loaded" : "an error of the stand-in"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    int state = ready(NULL);
    char name[32];
    for (*count = 0; state == OK; (*count)++) {
        snprintf(name, sizeof name, "gpu %u", *count);
        if (!find(name, "uuid", 0)) break;
    }
    return state;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **out) {
    if (index >= MAX_GPUS) return BAD_ARGUMENT;
    Device *device = &devices[index][MAX_PARTS];
    device->gpu = (int)index;
    device->part = -1;
    *out = device;
    return ready(device);
}
int nvmlDeviceGetUUID(Device *device, char *out, unsigned size) { return text_of(device, "uuid", out, size); }
int nvmlDeviceGetName(Device *device, char *out, unsigned size) { return text_of(device, "name", out, size); }
int nvmlDeviceGetMinorNumber(Device *device, unsigned *out) { return small_number_of(device, "minor", out); }

int nvmlDeviceGetMemoryInfo(Device *device, unsigned long long out[3]) {
    unsigned long long total = 0, used = 0;
    int state = number_of(device, "memory_mib", &total);
    if (state != OK) return state;
    number_of(device, "used_mib", &used);
    out[0] = total << 20;
    out[1] = (total - used) << 20;
    out[2] = used << 20;
    return OK;
}

typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } Pci;
int nvmlDeviceGetPciInfo_v3(Device *device, Pci *out) {
    memset(out, 0, sizeof *out);
    return text_of(device, "pci", out->bus_id, sizeof out->bus_id);
}

int nvmlDeviceGetMigMode(Device *device, unsigned *now, unsigned *pending) {
    int state = small_number_of(device, "mig", now);
    *pending = *now;
    return state;
}
int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *out) { return small_number_of(device, "max_mig", out); }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **out) {
    int state = ready(device);
    if (state != OK) return state;
    if (index >= MAX_PARTS) return BAD_ARGUMENT;
    Device *part = &devices[device->gpu][index];
    part->gpu = device->gpu;
    part->part = (int)index;
    *out = part;
    return find(section_of(part), "uuid", 0) ? OK : NOT_FOUND;
}

typedef struct { unsigned sms, copy, decode, encode, jpeg, ofa, gi_slices, ci_slices; unsigned long long memory; } Size;
int nvmlDeviceGetAttributes_v2(Device *device, Size *out) {
    memset(out, 0, sizeof *out);
    int state = small_number_of(device, "ci_slices", &out->ci_slices);
    if (state != OK) return state;
    small_number_of(device, "gi_slices", &out->gi_slices);
    return number_of(device, "memory_mib", &out->memory);
}

/* Profile number `wanted`, by lines "profile=<number> <slices> [<width> <memory_mib> <name> <starts>]". */
typedef struct { unsigned slices, width, memory, starts[8], places; char name[32]; } Profile;
static int profile(Device *device, unsigned wanted, Profile *out) {
    int state = ready(device);
    const char *value;
    unsigned number;
    char starts[64];
    if (state != OK) return state;
    for (int n = 0; (value = find(section_of(device), "profile", n)); n++) {
        memset(out, 0, sizeof *out);
        starts[0] = 0;
        int read = sscanf(value, "%u %u %u %u %31s %63s", &number, &out->slices, &out->width, &out->memory, out->name,
                          starts);
        if (read < 2 || number != wanted) continue;
        for (char *word = strtok(starts, ","); word; word = strtok(NULL, ","))
            out->starts[out->places++] = (unsigned)atoi(word);
        return OK;
    }
    return UNSUPPORTED;
}
typedef struct { unsigned id, p2p, slices, rest[7]; unsigned long long memory; } ProfileInfo;
typedef struct { unsigned version, id, p2p, slices, rest[7]; unsigned long long memory; char name[96]; } ProfileInfo2;
int nvmlDeviceGetGpuInstanceProfileInfo(Device *device, unsigned number, ProfileInfo *out) {
    Profile found;
    int state = profile(device, number, &found);
    if (state == OK) out->id = number, out->slices = found.slices, out->memory = found.memory;
    return state;
}
int nvmlDeviceGetGpuInstanceProfileInfoV(Device *device, unsigned number, ProfileInfo2 *out) {
    Profile found;
    read_state();
    if (find("driver", "old", 0)) return UNSUPPORTED;
    int state = profile(device, number, &found);
    if (state != OK) return state;
    out->id = number, out->slices = found.slices, out->memory = found.memory;
    if (found.places) snprintf(out->name, sizeof out->name, "MIG %s", found.name);
    return OK;
}

/* Dividing. A GPU instance is a section of its own ("[gi 0 1]") until its compute instance makes it "[mig 0 1]". */
typedef struct { unsigned start, size; } Placement;
typedef struct { int gpu, number; } Instance;
static Instance instances[MAX_GPUS][MAX_PARTS];
static const unsigned compute_sizes[] = {1, 2, 3, 4, 7};

static int refused(const char *call) {
    const char *value;
    for (int n = 0; (value = find("driver", "refuses", n)); n++)
        if (!strcmp(value, call)) return 1;
    return 0;
}

static void put(const char *section, const char *key, const char *value) {
    if (line_count >= MAX_LINES) return;
    Line *line = &lines[line_count++];
    snprintf(line->section, sizeof line->section, "%s", section);
    snprintf(line->key, sizeof line->key, "%s", key);
    snprintf(line->value, sizeof line->value, "%s", value);
}

static void put_number(const char *section, const char *key, unsigned value) {
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    put(section, key, text);
}

static void drop(const char *section, const char *key) {
    int kept = 0;
    for (int i = 0; i < line_count; i++)
        if (strcmp(lines[i].section, section) || (key && strcmp(lines[i].key, key))) lines[kept++] = lines[i];
    line_count = kept;
}

static void write_state(void) {
    const char *file = path[0] ? path : getenv("DS01_NVML_STATE");
    FILE *out = file ? fopen(file, "w") : NULL;
    for (int i = 0; out && i < line_count; i++)
        fprintf(out, "[%s]\n%s=%s\n", lines[i].section, lines[i].key, lines[i].value);
    if (out) fclose(out);
}

static const char *named(const char *kind, const Instance *instance) {
    static char name[32];
    snprintf(name, sizeof name, "%s %d %d", kind, instance->gpu, instance->number);
    return name;
}

/* Profile, start and width of a GPU instance, with or without its compute instance. */
static int placed(const Instance *instance, unsigned out[3]) {
    const char *value = find(named("mig", instance), "gi", 0);
    if (!value) value = find(named("gi", instance), "gi", 0);
    return value && sscanf(value, "%u %u %u", &out[0], &out[1], &out[2]) == 3;
}

static void put_placed(const char *section, const unsigned at[3]) {
    char text[64];
    snprintf(text, sizeof text, "%u %u %u", at[0], at[1], at[2]);
    put(section, "gi", text);
}

int nvmlDeviceSetMigMode(Device *device, unsigned mode, int *status) {
    int state = ready(device);
    if (state != OK) return state;
    *status = refused("mode") ? 1 : OK;
    if (*status != OK) return OK;
    drop(section_of(device), "mig");
    put_number(section_of(device), "mig", mode);
    write_state();
    return OK;
}
int nvmlDeviceGetGpuInstancePossiblePlacements_v2(Device *device, unsigned id, Placement *out, unsigned *count) {
    Profile found;
    int state = profile(device, id, &found);
    if (state != OK) return state;
    for (unsigned n = 0; n < found.places; n++) out[n] = (Placement){found.starts[n], found.width};
    *count = found.places;
    return OK;
}
int nvmlDeviceGetGpuInstances(Device *device, unsigned id, Instance **out, unsigned *count) {
    unsigned at[3];
    int state = ready(device);
    *count = 0;
    for (int number = 0; state == OK && number < MAX_PARTS; number++) {
        Instance *instance = &instances[device->gpu][number];
        *instance = (Instance){device->gpu, number};
        if (placed(instance, at) && at[0] == id) out[(*count)++] = instance;
    }
    return state;
}
int nvmlDeviceCreateGpuInstanceWithPlacement(Device *device, unsigned id, const Placement *place, Instance **out) {
    Profile found;
    unsigned at[3];
    Instance *chosen = NULL;
    int state = profile(device, id, &found);
    if (state != OK) return state;
    if (refused("create")) return UNSUPPORTED;
    for (int number = 0; number < MAX_PARTS; number++) {
        Instance *instance = &instances[device->gpu][number];
        *instance = (Instance){device->gpu, number};
        if (!placed(instance, at)) chosen = chosen ? chosen : instance;
        else if (at[1] < place->start + place->size && place->start < at[1] + at[2]) return BAD_ARGUMENT;
    }
    if (!chosen) return BAD_ARGUMENT;
    put_placed(named("gi", chosen), (unsigned[3]){id, place->start, place->size});
    write_state();
    *out = chosen;
    return OK;
}
typedef struct { unsigned version, id, slices, rest[7]; char name[96]; } ComputeInfo;
int nvmlGpuInstanceGetComputeInstanceProfileInfoV(Instance *instance, unsigned number, unsigned engine,
                                                  ComputeInfo *out) {
    Profile found;
    unsigned at[3];
    int state = ready(NULL);
    if (state != OK) return state;
    if (engine || number > 4 || !placed(instance, at)) return UNSUPPORTED;
    state = profile(&devices[instance->gpu][MAX_PARTS], at[0], &found);
    if (state != OK || compute_sizes[number] > found.slices) return UNSUPPORTED;
    out->id = number;
    out->slices = compute_sizes[number];
    return OK;
}
int nvmlGpuInstanceCreateComputeInstance(Instance *instance, unsigned id, Instance **out) {
    Profile found;
    unsigned at[3];
    char text[128], section[32];
    int state = ready(NULL);
    if (state != OK) return state;
    if (refused("compute") || !placed(instance, at)) return UNSUPPORTED;
    state = profile(&devices[instance->gpu][MAX_PARTS], at[0], &found);
    if (state != OK) return state;
    drop(named("gi", instance), NULL);
    snprintf(section, sizeof section, "%s", named("mig", instance));
    snprintf(text, sizeof text, "MIG-%d-%u-%u", instance->gpu, at[0], at[1]);
    put(section, "uuid", text);
    snprintf(text, sizeof text, "NVIDIA MIG %s", found.name);
    put(section, "name", text);
    put_number(section, "gi_slices", found.slices);
    put_number(section, "ci_slices", compute_sizes[id]);
    put_number(section, "memory_mib", found.memory);
    put_placed(section, at);
    write_state();
    *out = instance;
    return OK;
}
int nvmlGpuInstanceGetComputeInstances(Instance *instance, unsigned id, Instance **out, unsigned *count) {
    int state = ready(NULL);
    *count = 0;
    if (state != OK) return state;
    const char *slices = find(named("mig", instance), "ci_slices", 0);
    if (slices && id <= 4 && (unsigned)atoi(slices) == compute_sizes[id]) out[(*count)++] = instance;
    return OK;
}
int nvmlComputeInstanceDestroy(Instance *instance) {
    unsigned at[3];
    int state = ready(NULL);
    if (state != OK) return state;
    if (refused("destroy") || !placed(instance, at)) return UNSUPPORTED;
    drop(named("mig", instance), NULL);
    put_placed(named("gi", instance), at);
    write_state();
    return OK;
}
int nvmlGpuInstanceDestroy(Instance *instance) {
    int state = ready(NULL);
    if (state != OK) return state;
    if (find(named("mig", instance), "gi", 0)) return UNSUPPORTED;
    drop(named("gi", instance), NULL);
    write_state();
    return OK;
}

/* Counters of instances. A sample keeps what the state said when it was taken; between two, the later one counts. */
typedef struct { int gpu, taken; unsigned instance; char graphics[32], sm[32]; } Sample;
typedef struct { unsigned version, supported; } GpmSupport;
typedef struct { unsigned id; int result; double value; const char *names[3]; } Metric;
typedef struct { unsigned version, count; Sample *first, *second; Metric metrics[477]; } Metrics;
static int gpm_asked, samples_kept, samples_taken;

int ds01_standin_gpm_asked(void) { return gpm_asked; }
int ds01_standin_samples(void) { return samples_kept; }

int nvmlGpmQueryDeviceSupport(Device *device, GpmSupport *out) {
    gpm_asked++;
    read_state();
    if (refused("gpm_support")) return TIMEOUT;
    return out->version == 1 ? small_number_of(device, "gpm", &out->supported) : BAD_ARGUMENT;
}
int nvmlDeviceGetGpuInstanceId(Device *device, unsigned *out) {
    int state = ready(device);
    const char *value = state == OK ? find(section_of(device), "gi_id", 0) : NULL;
    *out = value ? (unsigned)atoi(value) : (unsigned)device->part;
    return state;
}
int nvmlGpmSampleAlloc(Sample **out) {
    *out = calloc(1, sizeof **out);
    samples_kept += *out != NULL;
    return *out ? OK : TOO_SMALL;
}
int nvmlGpmSampleFree(Sample *sample) {
    samples_kept--;
    free(sample);
    return OK;
}
int nvmlGpmMigSampleGet(Device *device, unsigned instance, Sample *sample) {
    int state = ready(device);
    if (state != OK) return state;
    if (device->part >= 0 || refused("gpm_sample")) return BAD_ARGUMENT;
    for (int index = 0; index < MAX_PARTS; index++) {
        Device part = {device->gpu, index, 0};
        unsigned number = 0;
        const char *graphics, *sm;
        if (!find(section_of(&part), "uuid", 0)) continue;
        nvmlDeviceGetGpuInstanceId(&part, &number);
        if (number != instance) continue;
        graphics = find(section_of(&part), "gpm_graphics", 0), sm = find(section_of(&part), "gpm_sm", 0);
        *sample = (Sample){device->gpu, ++samples_taken, instance, "", ""};
        if (graphics) snprintf(sample->graphics, sizeof sample->graphics, "%s", graphics);
        if (sm) snprintf(sample->sm, sizeof sample->sm, "%s", sm);
        return OK;
    }
    return NOT_FOUND;
}
int nvmlGpmMetricsGet(Metrics *asked) {
    const Sample *one = asked->first, *two = asked->second;
    if (asked->version != 1 || !one->taken || one->taken >= two->taken) return BAD_ARGUMENT;
    if (one->gpu != two->gpu || one->instance != two->instance) return BAD_ARGUMENT;
    for (unsigned n = 0; n < asked->count; n++) {
        Metric *metric = &asked->metrics[n];
        const char *said = metric->id == 1 ? two->graphics : metric->id == 2 ? two->sm : "";
        metric->result = *said ? OK : UNSUPPORTED;
        metric->value = *said ? atof(said) : 0;
    }
    return OK;
}

int nvmlDeviceGetP2PStatus(Device *one, Device *other, int index, int *out) {
    int state = ready(one);
    const char *value;
    *out = 1;
    if (state != OK || index != 2) return state == OK ? UNSUPPORTED : state;
    for (int n = 0; (value = find(section_of(one), "nvlink", n)); n++)
        if (atoi(value) == other->gpu) *out = 0;
    return OK;
}

int nvmlDeviceGetUtilizationRates(Device *device, unsigned out[2]) {
    out[1] = 0;
    return small_number_of(device, "utilisation", &out[0]);
}
int nvmlDeviceGetPowerUsage(Device *device, unsigned *out) { return small_number_of(device, "power_mw", out); }
int nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *out) {
    return number_of(device, "energy_mj", out);
}
int nvmlDeviceGetTemperature(Device *device, unsigned sensor, unsigned *out) {
    (void)sensor;
    return small_number_of(device, "temperature", out);
}
int nvmlDeviceGetTemperatureThreshold(Device *device, unsigned kind, unsigned *out) {
    return kind == 1 ? small_number_of(device, "slowdown", out) : UNSUPPORTED;
}

typedef struct { unsigned pid; unsigned long long memory; unsigned gi, ci; } Process;
static int processes(Device *device, const char *key, unsigned *count, Process *out) {
    int state = ready(device), n = 0;
    const char *value;
    if (state != OK) return state;
    for (int i = 0; (value = find(section_of(device), "unknown", i)); i++) if (!strcmp(value, key)) return TIMEOUT;
    for (int i = 0; (value = find(section_of(device), "lacks", i)); i++) if (!strcmp(value, key)) return UNSUPPORTED;
    for (; (value = find(section_of(device), key, n)); n++)
        if (out && n < (int)*count) {
            unsigned pid = 0;
            unsigned long long memory = ~0ULL;
            sscanf(value, "%u %llu", &pid, &memory);
            out[n] = (Process){pid, memory, ~0U, ~0U};
        }
    state = n > (int)*count ? TOO_SMALL : OK;
    *count = (unsigned)n;
    return state;
}
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *out) {
    return processes(device, "process", count, out);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, Process *out) {
    return processes(device, "graphics", count, out);
}

typedef struct { Device *device; unsigned long long type, data; unsigned gi, ci; } Event;
int nvmlEventSetCreate(void **out) {
    static int set;
    *out = &set;
    return ready(NULL);
}
int nvmlEventSetFree(void *set) {
    (void)set;
    return OK;
}
int nvmlDeviceGetSupportedEventTypes(Device *device, unsigned long long *out) {
    *out = 0x1f;
    return ready(device);
}
int nvmlDeviceRegisterEvents(Device *device, unsigned long long types, void *set) {
    (void)set;
    device->mask = types;
    return ready(device);
}
/* Each event has a serial number; what was delivered once is not delivered again. */
int nvmlEventSetWait_v2(void *set, Event *out, unsigned milliseconds) {
    (void)set;
    (void)milliseconds;
    int state = ready(NULL);
    if (state != OK) return state;
    for (int gpu = 0; gpu < MAX_GPUS; gpu++) {
        Device *device = &devices[gpu][MAX_PARTS];
        char name[32];
        const char *value;
        int serial;
        snprintf(name, sizeof name, "gpu %d", gpu);
        for (int n = 0; (value = find(name, "event", n)); n++)
            if (sscanf(value, "%d %llu %llu", &serial, &out->type, &out->data) == 3 && serial > delivered
                && (device->mask & out->type)) {
                delivered = serial;
                out->device = device;
                return OK;
            }
    }
    return TIMEOUT;
}

int nvmlDeviceGetTotalEccErrors(Device *device, unsigned kind, unsigned counter, unsigned long long *out) {
    (void)counter;
    return kind == 1 ? number_of(device, "ecc", out) : UNSUPPORTED;
}
int nvmlDeviceGetRemappedRows(Device *device, unsigned *corrected, unsigned *uncorrected, unsigned *pending,
                              unsigned *failed) {
    char text[128];
    int state = text_of(device, "rows", text, sizeof text);
    if (state == OK) sscanf(text, "%u %u %u %u", corrected, uncorrected, pending, failed);
    return state;
}
int nvmlDeviceGetRetiredPagesPendingStatus(Device *device, unsigned *out) {
    return small_number_of(device, "pages_pending", out);
}
