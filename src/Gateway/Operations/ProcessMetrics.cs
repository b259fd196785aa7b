namespace Gateway.Operations;

/// <summary>
/// What <c>/metrics</c> says of the process itself: of any process by the names that Prometheus' clients use, of the
/// runtime by names like those of .NET's own meter.
/// </summary>
internal static class ProcessMetrics
{
    public static string Write() => new MetricsText()
        .Counter("process_cpu_seconds_total", "Time of processors that was used.",
            Environment.CpuUsage.TotalTime.TotalSeconds)
        .Gauge("process_resident_memory_bytes", "Memory in use.", Environment.WorkingSet)
        .Counter("dotnet_gc_pause_seconds_total", "Time that the whole process stood still for the collector.",
            GC.GetTotalPauseDuration().TotalSeconds)
        .Counters("dotnet_gc_collections_total", "Collections, by the oldest generation that was collected.",
            "gc_heap_generation",
            Enumerable.Range(0, GC.MaxGeneration + 1)
                .Select(generation => ($"gen{generation}", Collections(generation))))
        .Counter("dotnet_gc_allocated_bytes_total", "Of managed objects, since the start.",
            GC.GetTotalAllocatedBytes())
        .Gauge("dotnet_gc_heap_size_bytes", "Of managed objects, as of the last collection.",
            GC.GetGCMemoryInfo().HeapSizeBytes)
        .Gauge("dotnet_thread_pool_threads", "Threads of the pool.", ThreadPool.ThreadCount)
        .Gauge("dotnet_thread_pool_queue_length", "Work that waits for a thread.", ThreadPool.PendingWorkItemCount)
        .ToString();

    /// <summary>The runtime counts each of them for the younger generations too.</summary>
    private static long Collections(int generation) => GC.CollectionCount(generation)
        - (generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0);
}
