"""Operations of TensorFlow that a model may use: they compute, and reach no file, process or network.

From TensorFlow 2.21's registry, by its own groups; what is not here is refused by name. A new one is added
after reading what its kernel does.
"""

_ARITHMETIC = """
Abs AccumulateNV2 Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh Betainc Bucketize Cast Ceil
ClipByValue Cos Cosh Cross Cumprod Cumsum CumulativeLogsumexp Digamma Div DivNoNan Erf Erfc Erfinv Exp
Expm1 Floor FloorDiv FloorMod Igamma Igammac Inv Lgamma LinSpace Log Log1p Maximum Minimum Mod Mul
MulNoNan Ndtri Neg NextAfter Polygamma Pow Range RealDiv Reciprocal Rint Round Rsqrt Sigmoid Sign Sin
Sinh Sqrt Square SquaredDifference Sub Tan Tanh TruncateDiv TruncateMod Xdivy Xlog1py Xlogy Zeta
BitwiseAnd BitwiseOr BitwiseXor Invert LeftShift PopulationCount RightShift
"""
_COMPARISON = """
ApproximateEqual Equal Greater GreaterEqual IsFinite IsInf IsNan Less LessEqual LogicalAnd LogicalNot
LogicalOr NotEqual Select SelectV2
"""
_REDUCTION = """
All Any ArgMax ArgMin Bincount DenseBincount EuclideanNorm HistogramFixedWidth Max Mean Min Prod
RaggedBincount SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum SparseBincount SparseSegmentMean
SparseSegmentSqrtN SparseSegmentSum Sum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
UnsortedSegmentSum
"""
_NETWORK = """
AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd BiasAddV1 Conv2D DepthwiseConv2dNative Einsum
Elu FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 L2Loss LeakyRelu LogSoftmax MatMul MaxPool Relu
Relu6 Selu Softmax Softplus Softsign TopK TopKV2
"""
_SHAPE = """
BroadcastArgs BroadcastTo CheckNumerics CheckNumericsV2 Concat ConcatOffset ConcatV2 Const Diag DiagPart
Empty EnsureShape ExpandDims Fill Gather GatherNd GatherV2 GuaranteeConst Identity IdentityN
InvertPermutation ListDiff LowerBound MatrixBandPart MatrixDiagPartV3 MatrixDiagV3 MatrixSetDiagV3
MirrorPad OneHot OnesLike Pack Pad PadV2 Placeholder PlaceholderWithDefault PreventGradient Rank Reshape
Reverse ReverseSequence ReverseV2 ScatterNd Shape ShapeN Size Slice Snapshot Split SplitV Squeeze
StopGradient StridedSlice TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub
TensorScatterUpdate Tile Transpose Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack
UnravelIndex UpperBound Where ZerosLike
"""
_TEXT = """
AsString DecodeBase64 DecodePaddedRaw DecodeRaw EncodeBase64 Fingerprint ReduceJoin
RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace StringFormat StringJoin StringLength
StringLower StringNGrams StringSplit StringSplitV2 StringStrip StringToHashBucket StringToHashBucketFast
StringToHashBucketStrong StringToNumber StringUpper Substr UnicodeDecode UnicodeEncode UnicodeTranscode
UnsortedSegmentJoin
"""
_RAGGED = """
RaggedFillEmptyRows RaggedGather RaggedRange RaggedTensorToSparse RaggedTensorToTensor SparseAdd
SparseConcat SparseCross SparseCrossHashed SparseCrossV2 SparseFillEmptyRows SparseReduceMax
SparseReduceSum SparseReorder SparseReshape SparseSlice SparseSoftmax SparseSplit SparseTensorDenseAdd
SparseTensorDenseMatMul SparseToDense EmptyTensorList TensorListConcatV2 TensorListFromTensor
TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
TensorListReserve TensorListResize TensorListSetItem TensorListStack
"""
_STATE = """
AnonymousHashTable AssignVariableOp DestroyResourceOp DisableCopyOnRead HashTableV2
InitializeTableFromTextFileV2 InitializeTableV2 LookupTableExportV2 LookupTableFindV2
LookupTableImportV2 LookupTableSizeV2 MutableHashTableV2 ReadVariableOp ResourceGather ResourceGatherNd
VarHandleOp VarIsInitializedOp VariableShape
"""
_CONTROL = "ControlTrigger FakeParam NoOp Assert"

_FUNCTIONS = """
Case For If PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile While
"""

CALLS = frozenset(_FUNCTIONS.split())
"""These call functions of the model itself, whose operations are looked at as well."""

SAVING = frozenset(("MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"))
"""TensorFlow adds these to every SavedModel, in functions that nothing calls and loading leaves out."""

ALLOWED = CALLS.union(
    *(
        group.split()
        for group in (
            _ARITHMETIC, _COMPARISON, _REDUCTION, _NETWORK, _SHAPE, _TEXT, _RAGGED, _STATE, _CONTROL
        )
    )
)  # fmt: skip
