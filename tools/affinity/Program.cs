using Affinity.Tool;

await using var input = Console.OpenStandardInput();
return await InspectCommand.RunAsync(args, input, Console.Out, Console.Error, Environment.GetEnvironmentVariable, TimeProvider.System);
