using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Tasks;

/// <summary>
/// ORK0007: follows each TaskCompletionSource made with RunContinuationsAsynchronously, and its task, through variables, fields, parameters and returns to the places
/// where WaitAsync or WhenAny wait for it. A plain await is fine: it goes on where the loop says.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ContinuationsAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.AsyncContinuations);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.AsyncContinuations)) return;
            var flow = new TaskFlow(roles);
            start.RegisterOperationAction(flow.Declarator, OperationKind.VariableDeclarator);
            start.RegisterOperationAction(flow.Initializer, OperationKind.FieldInitializer, OperationKind.PropertyInitializer);
            start.RegisterOperationAction(flow.Assignment, OperationKind.SimpleAssignment, OperationKind.CoalesceAssignment);
            start.RegisterOperationAction(flow.Return, OperationKind.Return);
            start.RegisterOperationAction(flow.Call, OperationKind.Invocation);
            start.RegisterOperationAction(flow.Creation, OperationKind.ObjectCreation);
            start.RegisterOperationAction(flow.Pattern, OperationKind.IsPattern);
            start.RegisterOperationAction(flow.Loop, OperationKind.Loop);
            start.RegisterCompilationEndAction(flow.End);
        });
    }

    private sealed class TaskFlow(RoleReader roles)
    {
        // From what holds a source or its task to what it came from. Null stands for a source made with the option.
        private static readonly object Made = new();

        private readonly ConcurrentBag<(ISymbol Holder, object From)> _edges = [];
        private readonly ConcurrentBag<(IOperation At, ISymbol Container, object From)> _waits = [];

        internal void Declarator(OperationAnalysisContext context)
        {
            var declarator = (IVariableDeclaratorOperation)context.Operation;
            if (declarator.GetVariableInitializer() is { } initializer) Flow(declarator.Symbol, initializer.Value);
        }

        internal void Initializer(OperationAnalysisContext context)
        {
            switch (context.Operation)
            {
                case IFieldInitializerOperation field:
                    foreach (var symbol in field.InitializedFields) Flow(symbol, field.Value);
                    break;
                case IPropertyInitializerOperation property:
                    foreach (var symbol in property.InitializedProperties) Flow(symbol, property.Value);
                    break;
            }
        }

        internal void Assignment(OperationAnalysisContext context)
        {
            var assignment = (IAssignmentOperation)context.Operation;
            if (assignment.Target is ITupleOperation targets && Uses.Unwrap(assignment.Value) is ITupleOperation values)
            {
                for (var i = 0; i < Math.Min(targets.Elements.Length, values.Elements.Length); i++)
                {
                    if (HolderOf(targets.Elements[i]) is { } holder) Flow(holder, values.Elements[i]);
                }
            }
            else if (HolderOf(assignment.Target) is { } holder)
            {
                Flow(holder, assignment.Value);
            }
        }

        internal void Return(OperationAnalysisContext context)
        {
            // An async method's task is its own, whatever it awaits.
            if (((IReturnOperation)context.Operation).ReturnedValue is not { } value
                || FunctionOf(context.Operation, context.ContainingSymbol) is not { IsAsync: false } method) return;
            Flow(method.AssociatedSymbol ?? method, value);
        }

        internal void Call(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            var method = call.TargetMethod;
            Pass(call.Arguments);
            if (method.ContainingType is not { Name: "Task", ContainingNamespace.Name: "Tasks" })
            {
                // What goes into a collection is in it.
                if (call.Instance is { } collection && HolderOf(collection) is { } holder && method.Name is "Add" or "Enqueue" or "Push" or "Insert" or "TryAdd")
                    foreach (var argument in call.Arguments) Flow(holder, argument.Value);
                return;
            }

            if (method.Name == "WaitAsync" && call.Instance is { } instance) Wait(context, call, instance);
            else if (method.Name is "WhenAny") foreach (var argument in call.Arguments) Wait(context, call, argument.Value);
        }

        internal void Creation(OperationAnalysisContext context) => Pass(((IObjectCreationOperation)context.Operation).Arguments);

        internal void Pattern(OperationAnalysisContext context)
        {
            var match = (IIsPatternOperation)context.Operation;
            var declared = match.Pattern switch
            {
                IDeclarationPatternOperation pattern => pattern.DeclaredSymbol,
                IRecursivePatternOperation pattern => pattern.DeclaredSymbol,
                _ => null,
            };
            if (declared is not null) Flow(declared, match.Value);
        }

        internal void Loop(OperationAnalysisContext context)
        {
            if (context.Operation is IForEachLoopOperation { LoopControlVariable: IVariableDeclaratorOperation item } loop) Flow(item.Symbol, loop.Collection);
        }

        internal void End(CompilationAnalysisContext context)
        {
            var sources = _edges.ToLookup(edge => edge.Holder, edge => edge.From, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default);
            foreach (var (at, container, from) in _waits)
            {
                if ((Rules.AsyncContinuations.Roles & roles.Of(container)) == 0 || PathTo(from, sources) is not { } path) continue;
                context.ReportDiagnostic(Diagnostic.Create(Rules.AsyncContinuations.Descriptor, at.Syntax.GetLocation(),
                    path.Where(step => step.Locations.Length > 0 && step.Locations[0].IsInSource).Select(step => step.Locations[0]),
                    Name(at), path.Count == 0 ? "" : $" ({string.Join(" <- ", path.Select(step => step.Name))})"));
            }
        }

        private static string Name(IOperation at) => $"{((IInvocationOperation)at).TargetMethod.Name}";

        private static List<ISymbol>? PathTo(object from, ILookup<ISymbol, object> sources)
        {
            var before = new Dictionary<object, object?> { [from] = null };
            var next = new Queue<object>();
            next.Enqueue(from);
            while (next.Count > 0)
            {
                var at = next.Dequeue();
                if (at == Made)
                {
                    var path = new List<ISymbol>();
                    for (var step = before[at]; step is ISymbol symbol; step = before[step]) path.Insert(0, symbol);
                    return path;
                }

                foreach (var source in sources[(ISymbol)at])
                {
                    if (before.ContainsKey(source)) continue;
                    before.Add(source, at);
                    next.Enqueue(source);
                }
            }

            return null;
        }

        private void Pass(ImmutableArray<IArgumentOperation> arguments)
        {
            foreach (var argument in arguments)
            {
                if (argument.Parameter is { } parameter && parameter.Locations.Length > 0
                    && parameter.Locations[0].IsInSource) Flow(parameter.OriginalDefinition, argument.Value);
            }
        }

        private void Flow(ISymbol holder, IOperation value)
        {
            foreach (var from in SourcesOf(value)) _edges.Add((holder.OriginalDefinition, from));
        }

        private void Wait(OperationAnalysisContext context, IInvocationOperation call, IOperation value)
        {
            foreach (var from in SourcesOf(value)) _waits.Add((call, context.ContainingSymbol, from));
        }

        /// <summary>What an expression may hold of sources and their tasks.</summary>
        private static IEnumerable<object> SourcesOf(IOperation value)
        {
            value = Uses.Unwrap(value);
            switch (value)
            {
                case IObjectCreationOperation { Type.Name: "TaskCompletionSource" } creation:
                    return creation.Arguments.Any(argument => HasOption(argument.Value)) ? [Made] : [];
                case IPropertyReferenceOperation { Property: { Name: "Task", ContainingType.Name: "TaskCompletionSource" }, Instance: { } source }:
                    return SourcesOf(source);
                case IInvocationOperation { TargetMethod: { ContainingType: { Name: "Task", ContainingNamespace.Name: "Tasks" } } } call:
                    // The task that WhenAny or WaitAsync make is another one.
                    return call.TargetMethod.Name == "ConfigureAwait" && call.Instance is { } configured ? SourcesOf(configured) : [];
                case IInvocationOperation call when IsLinq(call.TargetMethod)
                    || call.TargetMethod.Name is "ToArray" or "ToList" or "AsTask" or "Dequeue" or "Pop" or "Peek":
                    return (call.Instance is { } of ? SourcesOf(of) : []).Concat(call.Arguments.SelectMany(argument => SourcesOf(argument.Value)));
                case IInvocationOperation call:
                    return [call.TargetMethod.OriginalDefinition];
                case IDelegateCreationOperation { Target: IAnonymousFunctionOperation { Symbol.IsAsync: false } function }:
                    return function.Body.Descendants().OfType<IReturnOperation>().SelectMany(returned => returned.ReturnedValue is { } result ? SourcesOf(result) : []);
                case IConditionalOperation choice:
                    return SourcesOf(choice.WhenTrue).Concat(choice.WhenFalse is { } otherwise ? SourcesOf(otherwise) : []);
                case ICoalesceOperation coalesce:
                    return SourcesOf(coalesce.Value).Concat(SourcesOf(coalesce.WhenNull));
                case ISwitchExpressionOperation choice:
                    return choice.Arms.SelectMany(arm => SourcesOf(arm.Value));
                case ISimpleAssignmentOperation assignment:
                    return SourcesOf(assignment.Value);
                case IArrayCreationOperation { Initializer: { } elements }:
                    return elements.ElementValues.SelectMany(SourcesOf);
                case ICollectionExpressionOperation collection:
                    return collection.Elements.SelectMany(SourcesOf);
                case ISpreadOperation spread:
                    return SourcesOf(spread.Operand);
                case IObjectCreationOperation { Initializer: { } filled }:
                    return filled.Initializers.SelectMany(item => item is IInvocationOperation add
                        ? add.Arguments.SelectMany(argument => SourcesOf(argument.Value)) : []);
                case IArrayElementReferenceOperation element:
                    return SourcesOf(element.ArrayReference);
                case IPropertyReferenceOperation { Property.IsIndexer: true, Instance: { } indexed }:
                    return SourcesOf(indexed);
                case IConditionalAccessOperation access:
                    return SourcesOf(access.WhenNotNull).Concat(SourcesOf(access.Operation));
                default:
                    return HolderOf(value) is { } holder ? [holder.OriginalDefinition] : [];
            }
        }

        private static bool IsLinq(IMethodSymbol method) => method.ContainingType is { Name: "Enumerable", ContainingNamespace.Name: "Linq" };

        private static ISymbol? HolderOf(IOperation operation) => Uses.Unwrap(operation) switch
        {
            ILocalReferenceOperation local => local.Local,
            IParameterReferenceOperation parameter => parameter.Parameter.OriginalDefinition,
            IFieldReferenceOperation field => field.Field.OriginalDefinition,
            IPropertyReferenceOperation { Property.IsIndexer: false } property => property.Property.OriginalDefinition,
            IPropertyReferenceOperation { Instance: { } instance } => HolderOf(instance),
            IArrayElementReferenceOperation element => HolderOf(element.ArrayReference),
            IDeclarationExpressionOperation declaration => HolderOf(declaration.Expression),
            _ => null,
        };

        private static bool HasOption(IOperation value)
        {
            value = Uses.Unwrap(value);
            if (value.Type?.Name != "TaskCreationOptions") return false;
            if (value.ConstantValue.Value is int options) return (options & (int)TaskCreationOptions.RunContinuationsAsynchronously) != 0;
            return value switch
            {
                IConditionalOperation choice => HasOption(choice.WhenTrue) || (choice.WhenFalse is { } otherwise && HasOption(otherwise)),
                IBinaryOperation { OperatorKind: BinaryOperatorKind.Or } either => HasOption(either.LeftOperand) || HasOption(either.RightOperand),
                ILocalReferenceOperation or IFieldReferenceOperation or IPropertyReferenceOperation => HolderOf(value) is { } symbol && symbol.DeclaringSyntaxReferences
                    .Any(reference => reference.GetSyntax().ToString().IndexOf(nameof(TaskCreationOptions.RunContinuationsAsynchronously),
                        StringComparison.Ordinal) >= 0),
                _ => false,
            };
        }

        private static IMethodSymbol? FunctionOf(IOperation operation, ISymbol container)
        {
            for (var at = operation.Parent; at is not null; at = at.Parent)
            {
                if (at is IAnonymousFunctionOperation function) return function.Symbol;
                if (at is ILocalFunctionOperation local) return local.Symbol;
            }

            return container as IMethodSymbol;
        }
    }
}
