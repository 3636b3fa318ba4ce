using ShopFarm;

if (FarmOptions.Read(args) is not { } options)
{
    Console.Error.WriteLine(FarmOptions.Usage);
    return 2;
}

if (options is { Demo: true, Store: "memory" })
{
    Console.Error.WriteLine("With --store memory a killed shop takes its baskets along, so the story of --demo would not end well: name another store, or leave --demo out and watch it.");
    return 2;
}

using var stop = new StopSignals();
try
{
    await using var farm = await Farm.StartAsync(options, stop.Token);
    if (options.Demo)
    {
        return await Demo.RunAsync(farm, stop.Token) ? 0 : 1;
    }

    await using var table = LiveTable.Show(farm);
    await Keys.ObeyAsync(farm, table, stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    return options.Demo ? 1 : 0;
}
catch (FarmException fault)
{
    Console.Error.WriteLine(fault.Message);
    return 1;
}
