using OrkSim;

namespace __NAME__.Tests;

/// <summary>The Worker against the real kernel, in simulated worlds: Workers crash, kernels restart, links are lost all at once.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void The_Worker_holds_in_simulated_worlds() => WorkerTrial.Run(setting => new Driver(setting.Time).Define(setting.WorkerId, setting.DeviceIds));
}
